"""The dsm command, run as ``python -m dsm_ros``."""

from dsm_ros.cli.main import main

if __name__ == "__main__":
    main()
