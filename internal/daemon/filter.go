package daemon

import (
	"fmt"

	"github.com/packetcache/packetcache/internal/capture"
	"github.com/packetcache/packetcache/internal/filter"
	"github.com/packetcache/packetcache/internal/packet"
)

// CheckFilter says whether an expression can be used as a filter.
func CheckFilter(expression string) error {
	_, err := parseFilter(expression)
	return err
}

func parseFilter(expression string) (*filter.Set, error) {
	expr, err := filter.Parse(expression)
	if err != nil {
		return nil, err
	}
	return filter.NewSet(expr)
}

func captureFilter(expression string) (capture.Filter, error) {
	if expression == "" {
		return capture.Filter{}, nil
	}
	set, err := parseFilter(expression)
	if err != nil {
		return capture.Filter{}, fmt.Errorf("capture filter %q: %w", expression, err)
	}
	return capture.Filter{
		Text: expression,
		Compile: func(lt packet.LinkType) (capture.Program, error) {
			program, err := set.Expr().Compile(lt)
			if err != nil {
				return capture.Program{}, err
			}
			return capture.Program{Instructions: program.Raw(), Match: program.Match}, nil
		},
	}, nil
}
