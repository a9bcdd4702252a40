package config

import (
	"errors"
	"os"
	"strconv"
	"strings"
)

// MinBudget is the least memory that the service works in.
const MinBudget = 8 * MiB

// Largest is the most memory that the service may be given on a machine with
// totalRAM bytes, in bytes.
func Largest(totalRAM uint64) uint64 { return max(totalRAM/2, uint64(MinBudget)) }

// Budget is the memory that the service may use on a machine with totalRAM
// bytes, in bytes: ram-size if it is set, else ram-percent of totalRAM, in
// either case at least MinBudget and at most half of totalRAM, rounded down to
// whole pages of the system.
func Budget(s *Settings, totalRAM uint64) uint64 {
	budget := uint64(s.RAMSize)
	if budget == 0 {
		budget = uint64(s.RAMPercent / 100 * float64(totalRAM))
	}
	budget = max(min(budget, Largest(totalRAM)), uint64(MinBudget))
	return budget &^ (uint64(os.Getpagesize()) - 1)
}

// BudgetOf is the Budget with what text says, as the values of ram-percent and
// ram-size do: "2%", "320MiB". A percentage needs its sign. The error is a
// *ValueError.
func (l *Loader) BudgetOf(text string) (uint64, error) {
	key, or := "ram-size", ", or a percentage such as 2%"
	if strings.HasSuffix(strings.TrimSpace(text), "%") {
		key, or = "ram-percent", ""
	}
	field, _ := FieldByKey(key)
	v, err := l.check(field, Words{text})
	if text == "" { // which is no value, and so allowed for a setting
		err = errors.New("empty")
	}
	if err != nil {
		return 0, &ValueError{Key: "ram", Shown: strconv.Quote(shorten(text)), Err: err, Allowed: l.allowed(field) + or}
	}
	var s Settings
	switch v := v.(type) {
	case float64:
		s.RAMPercent = v
	case Size:
		s.RAMSize = v
	}
	return Budget(&s, l.TotalRAM), nil
}
