"""What is done with surveys and targets: all writes, one file a verb group."""
