"""The demo's steps, one file each; `hinterland.demo.pipeline` puts them in order."""
