package daemon

import (
	"fmt"

	"github.com/packetcache/packetcache/internal/capture"
	"github.com/packetcache/packetcache/internal/filter"
	"github.com/packetcache/packetcache/internal/packet"
)

// CheckFilter says whether a capture filter can be used.
func CheckFilter(expression string) error {
	_, err := captureFilter(expression)
	return err
}

func captureFilter(expression string) (capture.Filter, error) {
	if expression == "" {
		return capture.Filter{}, nil
	}
	expr, err := filter.Parse(expression)
	if err == nil {
		_, err = filter.NewSet(expr)
	}
	if err != nil {
		return capture.Filter{}, fmt.Errorf("capture filter %q: %w", expression, err)
	}
	return capture.Filter{
		Text: expression,
		Compile: func(lt packet.LinkType) (capture.Program, error) {
			program, err := expr.Compile(lt)
			if err != nil {
				return capture.Program{}, err
			}
			return capture.Program{Instructions: program.Raw(), Match: program.Match}, nil
		},
	}, nil
}
