"""Print the environment's packages as pins, for requirements.lock (see `make lock`)."""

from importlib.metadata import distributions

SKIP = {"hinterland", "pip", "wheel"}

print("# Pinned versions, used as constraints by the Makefile. Written by `make lock`.")
pins = {}
for dist in distributions():
    name = dist.metadata["Name"].lower().replace("_", "-").replace(".", "-")
    # A local version (2.13.0+cpu) names one machine's build of a release that all share.
    pins[name] = dist.version.partition("+")[0]
for name in sorted(pins.keys() - SKIP):
    print(f"{name}=={pins[name]}")
