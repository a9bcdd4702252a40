package pcapio

import (
	"encoding/binary"
	"errors"
	"fmt"
	"unicode/utf8"
)

// Options that every block may have.
const (
	optEnd     = 0
	optComment = 1
)

// pad4 rounds n up to a multiple of 4, as bodies and options are padded.
func pad4(n int) int { return (n + 3) &^ 3 }

// nextOption splits the first option off a block's options, which are not
// empty. Of the option that ends the list only the code is returned.
func nextOption(order byteOrder, options []byte) (code uint16, value, rest []byte, err error) {
	if len(options) < 4 {
		return 0, nil, nil, errors.New("its header is cut short")
	}
	code = order.u16(options)
	length := int(order.u16(options[2:]))
	if code == optEnd {
		return code, nil, nil, nil
	}
	if 4+pad4(length) > len(options) {
		return code, nil, nil, fmt.Errorf("option %d of %d bytes does not fit into the %d bytes left", code, length, len(options)-4)
	}
	return code, options[4 : 4+length], options[4+pad4(length):], nil
}

// appendOption appends one option, padded.
func appendOption(buf []byte, code uint16, value []byte) []byte {
	buf = appendOptionHead(buf, code, len(value))
	buf = append(buf, value...)
	return appendPadding(buf, len(value))
}

// maxOption is the longest value that we write, a multiple of 4: there are
// readers, gopacket for one, that round a length up in 16 bits.
const maxOption = 0xfffc

// appendText appends a text option. Empty texts are left out, and what is
// longer than maxOption is cut, between two characters.
func appendText(buf []byte, code uint16, s string) []byte {
	if s == "" {
		return buf
	}
	if len(s) > maxOption {
		cut := maxOption
		for cut > maxOption-utf8.UTFMax && !utf8.RuneStart(s[cut]) {
			cut--
		}
		s = s[:cut]
	}
	buf = appendOptionHead(buf, code, len(s))
	buf = append(buf, s...)
	return appendPadding(buf, len(s))
}

func appendOptionHead(buf []byte, code uint16, length int) []byte {
	buf = binary.LittleEndian.AppendUint16(buf, code)
	return binary.LittleEndian.AppendUint16(buf, uint16(length))
}

// appendUint64 appends an option that is a count of 64 bits.
func appendUint64(buf []byte, code uint16, n uint64) []byte {
	buf = appendOptionHead(buf, code, 8)
	return binary.LittleEndian.AppendUint64(buf, n)
}

// appendPadding appends the zeros that bring n bytes to a multiple of 4.
func appendPadding(buf []byte, n int) []byte {
	var zeros [3]byte
	return append(buf, zeros[:pad4(n)-n]...)
}
