"""Raw bytes in, a true, bounded, complete reading out; never raises, never waits, touches nothing."""
