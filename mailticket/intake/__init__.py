"""An incoming mail's way in, from the server's list to one transaction; `take_in` is the room to read first."""
