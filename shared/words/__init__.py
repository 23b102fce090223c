"""What the pages and the command line say alike: Danish first, English beside it. Pure."""
