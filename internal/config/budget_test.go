package config

import (
	"strings"
	"testing"
)

func TestBudgetOf(t *testing.T) {
	loader := &Loader{TotalRAM: 16 << 30}
	for text, want := range map[string]Size{
		"2%":      83886 * 4096,
		" 2.5 %":  104857 * 4096,
		"50%":     8 * GiB,
		"320MiB":  320 * MiB,
		"8388608": 8 * MiB,
		"8 GiB":   8 * GiB,
	} {
		if got, err := loader.BudgetOf(text); err != nil || Size(got) != want {
			t.Errorf("%q is %d, %v, want %d", text, got, err, want)
		}
	}
	if got, err := (&Loader{TotalRAM: 1 << 30}).BudgetOf("0.1%"); err != nil || Size(got) != MinBudget {
		t.Errorf("a small share is %d, %v", got, err)
	}
	for text, want := range map[string]string{
		"":       "empty",
		"%":      "not a number",
		"2":      "or a percentage such as 2%",
		"two%":   "not a number",
		"1,5%":   "not a number",
		"NaN%":   "out of range",
		"0%":     "from 0.1 to 50",
		"51%":    "from 0.1 to 50",
		"40M":    `unknown unit "M"`,
		"7MiB":   "out of range",
		"9GiB":   "on this machine 8 GiB",
		"-40MiB": "not a size",
	} {
		if got, err := loader.BudgetOf(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is %d, %v, want an error with %q", text, got, err, want)
		}
	}
}
