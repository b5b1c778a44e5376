"""What the files say before anyone configures anything (``init``), and whether a workspace is sound (``check``)."""
