"""The parts of an audit's page, a file each."""
