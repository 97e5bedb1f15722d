"""What staff do with tickets."""
