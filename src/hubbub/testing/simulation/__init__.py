"""A network, hosts, disks and histories for simulations."""
