package config

import (
	"errors"
	"strings"
	"time"
)

// intervalValue reads a duration as Go writes it: "15m", "1h30m". A bare number
// is refused except for 0, since nobody could tell its unit.
func (f Field) intervalValue(raw any) (any, error) {
	var d time.Duration
	switch v := raw.(type) {
	case string:
		var err error
		if d, err = time.ParseDuration(strings.TrimSpace(v)); err != nil {
			return nil, errors.New("not a duration: write a number with a unit (30s, 15m, 1h30m)")
		}
	case int64:
		if v != 0 {
			return nil, errors.New("a number without a unit: write it as text (\"30s\", \"15m\", \"1h30m\")")
		}
	default:
		return nil, wrongType(raw)
	}
	if d != 0 && (d < f.MinInterval || d > f.MaxInterval) {
		return nil, errors.New("out of range")
	}
	return d, nil
}

// FormatInterval writes a duration so that it can be read back, without the
// zeros that Go adds: "15m" for 15m0s.
func FormatInterval(d time.Duration) string {
	if d == 0 {
		return "0"
	}
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
