package config

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// The factors that a retention rule may have, besides 0.
const (
	minFactor = 0.001
	maxFactor = 1000
)

// A RetainRule is an item of the setting retain: sessions whose first packet
// matches Filter are kept Factor times as long as others, and with 0 not at all.
type RetainRule struct {
	Factor float64
	Filter string
}

// String is the item, in the form in which the setting is documented.
func (r RetainRule) String() string { return "x" + formatNumber(r.Factor) + " " + r.Filter }

// ParseRetain reads an item, such as "x4 port 53". What it makes of the filter is
// left to Loader.CheckFilter.
func ParseRetain(item string) (RetainRule, error) {
	first, filter, _ := strings.Cut(strings.TrimSpace(item), " ")
	number, ok := strings.CutPrefix(first, "x")
	factor, err := strconv.ParseFloat(number, 64)
	if !ok || err != nil && !errors.Is(err, strconv.ErrRange) {
		return RetainRule{}, errors.New(`it does not begin with a factor, as in "x4 port 53"`)
	}
	// Written so that NaN fails too.
	if !(factor == 0 || factor >= minFactor && factor <= maxFactor) {
		return RetainRule{}, fmt.Errorf("the factor %s is out of range", shorten(first))
	}
	if filter = strings.TrimSpace(filter); filter == "" {
		return RetainRule{}, errors.New("there is no filter behind the factor")
	}
	return RetainRule{factor, filter}, nil
}

// checkRetain checks the items of the setting, except for what their filters
// mean.
func checkRetain(items []string) error {
	first := map[string]int{}
	for i, item := range items {
		rule, err := ParseRetain(item)
		if err != nil {
			return fmt.Errorf("rule %d, %q: %w", i+1, shorten(item), err)
		}
		if before, ok := first[rule.Filter]; ok {
			return fmt.Errorf("rule %d, %q: it has the filter of rule %d, which is asked first", i+1, shorten(item), before)
		}
		first[rule.Filter] = i + 1
	}
	return nil
}

// checkRetainFilters checks the filters of items that are otherwise right.
func checkRetainFilters(items []string, check func(expression string) error) error {
	for i, item := range items {
		rule, err := ParseRetain(item)
		if err == nil {
			err = check(rule.Filter)
		}
		if err != nil {
			return fmt.Errorf("rule %d, filter %q: %w", i+1, shorten(rule.Filter), err)
		}
	}
	return nil
}
