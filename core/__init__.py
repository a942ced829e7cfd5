"""The ground the rooms stand on: records, configs, runs, engines, registry, errors."""
