"""What the daemon's OpenRPC document says. Written by client-lib/generate.py; do not edit."""
