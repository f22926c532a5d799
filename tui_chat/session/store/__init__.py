"""Files that outlive the program: profile, drafts and read markers."""
