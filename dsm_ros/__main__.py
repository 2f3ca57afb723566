"""``python -m dsm_ros``: the dsm command."""

from dsm_ros.cli.main import main

if __name__ == "__main__":
    main()
