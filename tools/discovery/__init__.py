"""Tools that find, describe and call any operation, so that only a few have to be listed."""
