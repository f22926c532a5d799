"""Line-oriented front end for screen readers.

Imports no Textual."""
