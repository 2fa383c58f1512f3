package chat

import (
	"bytes"
	"encoding/binary"
)

// orientation reads how a camera was held from a JPEG file's Exif (CIPA DC-008, tag
// 0x0112); 1, upright, if it does not say so in good order.
func orientation(data []byte) int {
	for rest := data[min(2, len(data)):]; len(rest) >= 4 && rest[0] == 0xff; {
		marker, size := rest[1], int(binary.BigEndian.Uint16(rest[2:]))
		if marker == 0xda || size < 2 || len(rest) < 2+size { // the picture begins
			return 1
		}
		if body, is := bytes.CutPrefix(rest[4:2+size], []byte("Exif\x00\x00")); is && marker == 0xe1 {
			return tiffOrientation(body)
		}
		rest = rest[2+size:]
	}
	return 1
}

// tiffOrientation looks through the first directory of a TIFF structure.
func tiffOrientation(b []byte) int {
	if len(b) < 8 {
		return 1
	}
	var order binary.ByteOrder = binary.BigEndian
	if b[0] == 'I' {
		order = binary.LittleEndian
	}
	at := int64(order.Uint32(b[4:]))
	if at > int64(len(b))-2 {
		return 1
	}
	count := int(order.Uint16(b[at:]))
	for entry := b[at+2:]; count > 0 && len(entry) >= 12; entry, count = entry[12:], count-1 {
		if order.Uint16(entry) == 0x0112 && order.Uint16(entry[2:]) == 3 { // one SHORT, in place
			if o := int(order.Uint16(entry[8:])); o >= 1 && o <= 8 {
				return o
			}
			return 1
		}
	}
	return 1
}
