"""The only wiring: builds everything, owns threads, disk and network.

stores.py   what one realm of a home holds, opened together (the command line uses it too)
intake.py   feeds -> observations -> tracks -> watch -> findings -> standing orders
homes.py    making a home folder, and the card that it shows to partners
audit.py    `samsyn verify`: every log and statement of a home, checked anew
node.py     the running node: intake, the door's ticks, partners, the two servers
"""
