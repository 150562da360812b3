"""The composition root: settings, store, web and command line. The only package that knows everything."""
