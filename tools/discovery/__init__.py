"""Tools that find, describe and call any operation, so that few need be listed."""
