"""The only opener of sockets: listen, dial, and pump one link."""
