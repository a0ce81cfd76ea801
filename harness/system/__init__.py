"""What this machine is and has: disk, devices, git, processes."""
