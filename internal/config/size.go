package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// A Size is a number of bytes. The zero Size stands for "not set".
type Size uint64

// The binary units, in bytes.
const (
	KiB Size = 1 << 10
	MiB Size = 1 << 20
	GiB Size = 1 << 30
	TiB Size = 1 << 40
)

// ParseSize reads a size as people write it: a whole number of bytes
// ("41943040"), or a number, which may have a decimal point, with a unit of
// IEC 80000-13 or SI: "40MiB", "1.5 GiB", "512MB". Upper and lower case are
// the same; single letters such as "40M" are refused, because half of the
// world's programs read them as 1000 and half as 1024. Fractions of a byte are
// cut off.
func ParseSize(s string) (Size, error) {
	trimmed := strings.TrimSpace(s)
	end := strings.LastIndexAny(trimmed, "0123456789.") + 1
	number, unit := trimmed[:end], strings.TrimSpace(trimmed[end:])
	whole, fraction, hasPoint := strings.Cut(number, ".")
	factor, known := unitFactor(unit)
	switch {
	case whole == "" || strings.Trim(whole+fraction, "0123456789") != "" || hasPoint && (fraction == "" || unit == ""):
		return 0, fmt.Errorf("%q is not a size: write bytes (41943040) or a number with a unit (40MiB, 512MB)", s)
	case !known:
		return 0, fmt.Errorf("%q has the unknown unit %q: use B, kB, MB, GB, TB, KiB, MiB, GiB or TiB", s, unit)
	case !hasPoint:
		n, err := strconv.ParseUint(whole, 10, 64)
		if err != nil || n > math.MaxInt64/uint64(factor) {
			return 0, fmt.Errorf("%q is more than any machine has", s)
		}
		return Size(n) * factor, nil
	}
	f, err := strconv.ParseFloat(number, 64)
	if err != nil || f*float64(factor) >= math.MaxInt64 {
		return 0, fmt.Errorf("%q is more than any machine has", s)
	}
	return Size(f * float64(factor)), nil
}

func unitFactor(unit string) (Size, bool) {
	switch strings.ToLower(unit) {
	case "", "b":
		return 1, true
	case "kb":
		return 1e3, true
	case "mb":
		return 1e6, true
	case "gb":
		return 1e9, true
	case "tb":
		return 1e12, true
	case "kib":
		return KiB, true
	case "mib":
		return MiB, true
	case "gib":
		return GiB, true
	case "tib":
		return TiB, true
	}
	return 0, false
}

// String writes the size exactly, in the largest binary unit that divides it
// ("40MiB", "1500B"), so that ParseSize reads the same size back. The zero
// Size is "".
func (s Size) String() string {
	switch {
	case s == 0:
		return ""
	case s%TiB == 0:
		return strconv.FormatUint(uint64(s/TiB), 10) + "TiB"
	case s%GiB == 0:
		return strconv.FormatUint(uint64(s/GiB), 10) + "GiB"
	case s%MiB == 0:
		return strconv.FormatUint(uint64(s/MiB), 10) + "MiB"
	case s%KiB == 0:
		return strconv.FormatUint(uint64(s/KiB), 10) + "KiB"
	}
	return strconv.FormatUint(uint64(s), 10) + "B"
}

// FormatBytes writes n bytes for a person, in binary units with at most one
// digit after the point: "712 B", "40 MiB", "1.5 GiB".
func FormatBytes(n uint64) string {
	units := [...]string{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"}
	value, unit := float64(n), 0
	// 1023.95 would round to 1024.0 of the smaller unit.
	for value >= 1023.95 && unit < len(units)-1 {
		value /= 1024
		unit++
	}
	return strings.TrimSuffix(strconv.FormatFloat(value, 'f', 1, 64), ".0") + " " + units[unit]
}
