"""A fake machine's inside: a folder with a static busybox, in which commands really run, apart from the machine they run on."""
