package sqlite

import "testing"

func TestMountType(t *testing.T) {
	const mounts = `22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:40 / /srv/remote rw - fuse.sshfs me@host:/ rw
31 22 0:41 / /srv/remote/in\040side rw master:3 - fuseblk /dev/sdb1 rw
32 22 0:42 / /srv/rem rw - tmpfs none rw
33 30 0:43 / /srv/remote/twice rw - tmpfs none rw
34 33 0:44 / /srv/remote/twice rw - fuse.rclone x rw
nonsense
`
	for dir, want := range map[string]string{"/srv/remote/tandem": "fuse.sshfs", "/srv/remote": "fuse.sshfs", "/srv/remote/in side/x": "fuseblk",
		"/srv/remotely": "ext4", "/srv/rem/x": "tmpfs", "/": "ext4", "/srv/remote/twice/x": "fuse.rclone"} {
		if got := mountType(mounts, dir); got != want {
			t.Errorf("%s is on %s, want %s", dir, got, want)
		}
	}
}

func TestRefuseNetwork(t *testing.T) {
	if err := refuseNetwork(t.TempDir()); err != nil {
		t.Errorf("a local folder: %v", err)
	}
	if err := refuseNetwork("/no/such/folder"); err == nil {
		t.Error("a folder that is not there")
	}
}
