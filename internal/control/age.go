package control

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// maxAge keeps sums of ages and times within what they can hold.
const maxAge = 100 * 365 * 24 * time.Hour

// ParseAge reads a length of time such as "90s", "30m", "2h", "3d" or
// "1d12h": what time.ParseDuration takes, with days in front. It is above 0
// and at most a hundred years.
func ParseAge(s string) (time.Duration, error) {
	bad := fmt.Errorf("%q is not a length of time such as 30m, 2h or 3d", s)
	rest := s
	var age time.Duration
	if before, after, ok := strings.Cut(s, "d"); ok {
		days, err := strconv.ParseUint(before, 10, 16)
		if err != nil {
			return 0, bad
		}
		age, rest = time.Duration(days)*24*time.Hour, after
	}
	if rest != "" {
		if rest[0] == '-' || rest[0] == '+' {
			return 0, bad
		}
		d, err := time.ParseDuration(rest)
		if err != nil {
			return 0, bad
		}
		if d > maxAge {
			return 0, fmt.Errorf("%q is more than a hundred years", s)
		}
		age += d
	}
	switch {
	case age <= 0:
		return 0, bad
	case age > maxAge:
		return 0, fmt.Errorf("%q is more than a hundred years", s)
	}
	return age, nil
}
