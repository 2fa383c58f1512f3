package wav

import (
	"encoding/binary"
	"fmt"
	"mime"
	"strconv"
)

// lawCodes are the format codes of RFC 2361 for what recordings are kept in.
func lawCodes() map[string]uint16 {
	return map[string]uint16{"audio/pcmu": formatMuLaw, "audio/pcma": formatALaw}
}

// Head is the head of a WAV file that holds size bytes of G.711 as they are kept, so that
// showing them changes no sample. mediaType is such as "audio/PCMU;rate=8000;channels=1".
func Head(mediaType string, size int64) ([]byte, error) {
	kind, params, err := mime.ParseMediaType(mediaType)
	code, known := lawCodes()[kind]
	if err != nil || !known {
		return nil, fmt.Errorf("a recording of type %q cannot be written as WAV by this version", mediaType)
	}
	rate, channels := 8000, 1
	if s := params["rate"]; s != "" {
		rate, err = strconv.Atoi(s)
	}
	if s := params["channels"]; s != "" && err == nil {
		channels, err = strconv.Atoi(s)
	}
	const longest = 1<<32 - 64 // a WAV file counts its bytes in 32 bits
	if err != nil || rate < 1 || rate > maxRate || channels < 1 || channels > 2 || size < 0 || size > longest {
		return nil, fmt.Errorf("a recording of type %q and %d bytes cannot be written as WAV", mediaType, size)
	}
	head := []byte("RIFF\x00\x00\x00\x00WAVEfmt \x12\x00\x00\x00")
	head = binary.LittleEndian.AppendUint16(head, code)
	head = binary.LittleEndian.AppendUint16(head, uint16(channels))
	head = binary.LittleEndian.AppendUint32(head, uint32(rate))
	head = binary.LittleEndian.AppendUint32(head, uint32(rate*channels)) // bytes a second
	head = binary.LittleEndian.AppendUint16(head, uint16(channels))      // bytes a frame
	head = binary.LittleEndian.AppendUint16(head, 8)                     // bits a sample
	head = binary.LittleEndian.AppendUint16(head, 0)                     // no extra bytes
	head = append(head, "fact\x04\x00\x00\x00"...)
	head = binary.LittleEndian.AppendUint32(head, uint32(size)/uint32(channels))
	head = append(head, "data"...)
	head = binary.LittleEndian.AppendUint32(head, uint32(size))
	binary.LittleEndian.PutUint32(head[4:], uint32(len(head)-8)+uint32(size))
	return head, nil
}
