package config

import (
	"encoding/binary"
	"strconv"
	"strings"
	"unicode/utf16"
)

// The types of registry values that hold settings, as in winnt.h ("Registry
// Value Types" in the Windows documentation).
const (
	regSZ       = 1
	regExpandSZ = 2
	regDWORD    = 4
	regMultiSZ  = 7
	regQWORD    = 11
)

// A registryData is the content of a value of a type that no setting has.
type registryData struct{ valueType uint32 }

// registryEntry turns a registry value into an entry. Numbers become text,
// because a setting such as RamPercent may be a REG_DWORD (5) or, for lack of
// a type with fractions, a REG_SZ ("0.5"). A REG_SZ has the items of a list with
// | between them, as an installer's property and a policy can give them: that is
// in no name that Windows lets a connection have, while "Ethernet, 2" is one. A
// rule may have it in its filter and is one item. expand replaces environment
// variables in a REG_EXPAND_SZ.
func registryEntry(key, name string, valueType uint32, data []byte, expand func(string) string) Entry {
	entry := Entry{Key: name, Where: key + `\` + name}
	list, split := false, false
	for _, f := range Fields() {
		if strings.EqualFold(f.Registry, name) {
			entry.Key, list = f.Key, f.Kind == List
			split = list && f.Item != "rule"
		}
	}
	switch {
	case valueType == regSZ || valueType == regExpandSZ:
		text, _, _ := strings.Cut(utf16Text(data), "\x00")
		if valueType == regExpandSZ {
			text = expand(text)
		}
		switch {
		case split:
			entry.Value = items(text)
		case list && text == "":
			entry.Value = Words{}
		default:
			entry.Value = Words{text}
		}
	case valueType == regMultiSZ:
		words := Words{}
		for text := range strings.SplitSeq(utf16Text(data), "\x00") {
			if text == "" {
				break // the end of the list, even if more follows
			}
			words = append(words, text)
		}
		entry.Value = words
	case valueType == regDWORD && len(data) == 4:
		entry.Value = Words{strconv.FormatUint(uint64(binary.LittleEndian.Uint32(data)), 10)}
	case valueType == regQWORD && len(data) == 8:
		entry.Value = Words{strconv.FormatUint(binary.LittleEndian.Uint64(data), 10)}
	default:
		entry.Value = registryData{valueType}
	}
	return entry
}

// items are those of a list that one text holds.
func items(text string) Words {
	words := Words{}
	for item := range strings.SplitSeq(text, "|") {
		if item = strings.TrimSpace(item); item != "" {
			words = append(words, item)
		}
	}
	return words
}

// String names the value in messages.
func (d registryData) String() string {
	return "a registry value of type " + strconv.FormatUint(uint64(d.valueType), 10)
}

// utf16Text decodes little-endian UTF-16, as far as it comes in pairs of bytes.
func utf16Text(data []byte) string {
	units := make([]uint16, len(data)/2)
	for i := range units {
		units[i] = binary.LittleEndian.Uint16(data[2*i:])
	}
	return string(utf16.Decode(units))
}
