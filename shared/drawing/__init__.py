"""Pictures that the pages and the command line both draw: SVG of their own. Pure."""
