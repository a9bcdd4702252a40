package config

import "os"

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
