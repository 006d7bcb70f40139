"""The server over HTTP: the WSGI application, the web server that runs it, and HTTPS."""
