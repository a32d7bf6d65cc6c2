#!/bin/bash
# Run as root in fresh mount, PID, UTS, IPC, network and cgroup namespaces: makes a small machine out of them, in which nothing of
# the real one can be changed, and becomes its systemd. Arguments: the bundle's tree, a folder with rehearsal.py and what it
# imports, and the folder in which rehearsal.py writes.
set -e
tree="$1" programs="$2" out="$3"
mount --make-rprivate /
mount -t proc proc /proc
mount -t tmpfs -o mode=755 tmpfs /opt
mkdir -p /opt/etc/upper /opt/etc/work /opt/crossover /opt/units /opt/out
cp -r "$tree" /opt/crossover/rehearsed
cp -r "$programs" /opt/programs
mount --bind "$out" /opt/out
mount -t tmpfs -o mode=755 tmpfs /run
mount -t tmpfs -o mode=1777 tmpfs /tmp
mount -t tmpfs -o mode=1777 tmpfs /var/tmp
mount -t overlay overlay -o lowerdir=/etc,upperdir=/opt/etc/upper,workdir=/opt/etc/work /etc
rm -rf /etc/systemd/system
mkdir -p /etc/systemd/system
cp -r /opt/programs/etc/crossover /etc/
umount -l -R /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount --bind /proc/sys /proc/sys
mount -o remount,bind,ro /proc/sys

# Only what the units name, so that nothing of the real machine's starts.
for name in sysinit basic paths shutdown sockets timers multi-user network-online; do
    printf '[Unit]\nDefaultDependencies=no\n' >"/opt/units/$name.target"
done
cat >/opt/units/rehearsal.target <<'UNIT'
[Unit]
DefaultDependencies=no
Wants=rehearsal.service
UNIT
cat >/opt/units/rehearsal.service <<'UNIT'
[Unit]
DefaultDependencies=no
[Service]
Type=oneshot
TimeoutStartSec=90
StandardOutput=append:/opt/out/log
StandardError=append:/opt/out/log
Environment=PYTHONPATH=/opt/programs PATH=/usr/bin:/bin
ExecStart=/usr/bin/python3 /opt/programs/rehearsal.py
ExecStopPost=/usr/bin/systemctl --force --force poweroff
UNIT
for name in crossover crossover-agent crossover-drain; do
    mkdir -p "/etc/systemd/system/$name.service.d"
    printf '[Service]\nStandardOutput=append:/opt/out/%s.log\nStandardError=append:/opt/out/%s.log\n' $name $name \
        >"/etc/systemd/system/$name.service.d/log.conf"
done
exec env -i container=rehearsal PATH=/usr/bin:/bin SYSTEMD_UNIT_PATH=/etc/systemd/system:/opt/units \
    /lib/systemd/systemd --system --unit=rehearsal.target --log-target=null --show-status=no
