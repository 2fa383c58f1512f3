package sqlite

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// networkTypes are the file systems, by the number statfs(2) gives, on which SQLite's
// locks and shared memory cannot be trusted.
func networkTypes() map[uint32]string {
	return map[uint32]string{
		0x6969:     "NFS",
		0x517b:     "SMB",
		0xff534d42: "CIFS",
		0xfe534d42: "SMB2",
		0x01021997: "9p",
		0x5346414f: "AFS",
		0x6b414653: "AFS",
		0x73757245: "Coda",
		0x00c36400: "Ceph",
		0x0bd00bd0: "Lustre",
		0x01161970: "GFS2",
		0x7461636f: "OCFS2",
		0x564c:     "NCP",
		0xaad7aaea: "PanFS",
		0x19830326: "BeeGFS",
		0x47504653: "GPFS",
	}
}

const fuseType = 0x65735546

// localFuse are FUSE file systems that lie on a disk of this machine; every other one
// is taken for remote.
const localFuse = " fuseblk fuse.fuse-overlayfs fuse.bindfs fuse.gocryptfs fuse.encfs fuse.mergerfs fuse.zfs "

func refuseNetwork(dir string) error {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return fmt.Errorf("looking at the database's folder %s: %w", dir, err)
	}
	name := networkTypes()[uint32(s.Type)]
	if uint32(s.Type) == fuseType {
		mounts, err := os.ReadFile("/proc/self/mountinfo")
		if err != nil {
			return fmt.Errorf("looking what %s is mounted from: %w", dir, err)
		}
		abs, err := filepath.Abs(dir)
		if err != nil {
			return fmt.Errorf("finding %s: %w", dir, err)
		}
		if real, err := filepath.EvalSymlinks(abs); err == nil {
			abs = real
		}
		if kind := mountType(string(mounts), abs); !strings.Contains(localFuse, " "+kind+" ") {
			name = kind
		}
	}
	if name == "" {
		return nil
	}
	return fmt.Errorf("%s is on a network file system (%s), where a database can be torn: give store.path a folder on a local disk", dir, name)
}

// mountType finds the file system type of the mount that holds dir, in the form of
// proc_pid_mountinfo(5): fields up to " - ", the fifth being the mount point, then the type.
func mountType(mountinfo, dir string) string {
	best, kind := -1, "fuse"
	for line := range strings.Lines(mountinfo) {
		before, after, ok := strings.Cut(line, " - ")
		fields, rest := strings.Fields(before), strings.Fields(after)
		if !ok || len(fields) < 5 || len(rest) == 0 {
			continue
		}
		point := strings.NewReplacer(`\040`, " ", `\011`, "\t", `\134`, `\`).Replace(fields[4])
		inside := point == "/" || dir == point || strings.HasPrefix(dir, point+"/")
		if inside && len(point) >= best { // of equal ones the last covers the rest
			best, kind = len(point), rest[0]
		}
	}
	return kind
}
