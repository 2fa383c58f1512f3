package pack

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"slices"
)

// writeZip writes files as a ZIP archive (PKWARE APPNOTE 6.3.10) in the one way there is of
// writing them here: stored, in the order of their names but for the manifest, which is
// first, with no times and nothing else that could differ. So the same files are the same
// bytes in every version, and a byte that is another is found wherever it is.
func writeZip(w io.Writer, files map[string][]byte) error {
	names := make([]string, 0, len(files))
	for name := range files {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		first := func(s string) string {
			if s == manifestFile || s == signatureFile {
				return "\x00" + s
			}
			return s
		}
		return bytes.Compare([]byte(first(a)), []byte(first(b)))
	})
	var directory bytes.Buffer
	at := uint64(0)
	for _, name := range names {
		data := files[name]
		if uint64(len(data)) > math.MaxUint32 || at > math.MaxUint32 || len(names) > math.MaxUint16 {
			return fmt.Errorf("the pack is too large")
		}
		head := header(name, data)
		local := append([]byte("PK\x03\x04"), head...)
		local = append(local, name...)
		directory.WriteString("PK\x01\x02\x14\x00") // made by version 2.0 on MS-DOS: no permissions
		directory.Write(head)
		directory.Write(make([]byte, 10)) // no comment, first disk, no attributes
		directory.Write(binary.LittleEndian.AppendUint32(nil, uint32(at)))
		directory.WriteString(name)
		for _, part := range [][]byte{local, data} {
			n, err := w.Write(part)
			at += uint64(n)
			if err != nil {
				return fmt.Errorf("writing the pack: %w", err)
			}
		}
	}
	end := []byte("PK\x05\x06\x00\x00\x00\x00")
	end = binary.LittleEndian.AppendUint16(end, uint16(len(names)))
	end = binary.LittleEndian.AppendUint16(end, uint16(len(names)))
	end = binary.LittleEndian.AppendUint32(end, uint32(directory.Len()))
	end = binary.LittleEndian.AppendUint32(end, uint32(at))
	end = append(end, 0, 0)
	if _, err := w.Write(append(directory.Bytes(), end...)); err != nil {
		return fmt.Errorf("writing the pack: %w", err)
	}
	return nil
}

// header is what a file's local header and its entry of the directory have in common.
func header(name string, data []byte) []byte {
	b := []byte{20, 0, 0, 8, 0, 0, 0, 0, 0x21, 0} // version 2.0, names in UTF-8, stored, 1980-01-01 00:00
	b = binary.LittleEndian.AppendUint32(b, crc32.ChecksumIEEE(data))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(data)))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(data)))
	b = binary.LittleEndian.AppendUint16(b, uint16(len(name)))
	return binary.LittleEndian.AppendUint16(b, 0)
}
