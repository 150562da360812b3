"""What goes over the wire: the request for one call, the response to it, and what the operator corrected of both."""
