"""Other tools' readings of the same rules, literally and document by document.

They exist to be compared (`hinterland curate agreement`) and to reproduce another tool's
decisions; the kit's own reading, ``paper``, is the compiled one. docs/variants.md says
what each tool does, from which version.
"""
