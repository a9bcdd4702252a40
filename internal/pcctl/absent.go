package pcctl

import (
	"fmt"
	"net"
	"slices"
	"strings"
)

// absentWarning says that names given to a setting are of no interface that this
// machine has now, and which it has. It may come later, so this is no error.
func absentWarning(key string, values []string) (warning string, absent bool) {
	if key != "interfaces" && key != "exclude" {
		return "", false
	}
	interfaces, err := net.Interfaces()
	if err != nil {
		return "", false
	}
	there := make([]string, len(interfaces))
	for i, iface := range interfaces {
		there[i] = iface.Name
	}
	slices.Sort(there)
	var missing []string
	for _, value := range values {
		// Patterns may well be for what comes.
		if !strings.ContainsAny(value, `*?[\`) && !slices.Contains(there, value) {
			missing = append(missing, value)
		}
	}
	if len(missing) == 0 {
		return "", false
	}
	return clean(fmt.Sprintf("this machine has no interface %s now; it has %s", valuesText(missing), valuesText(there))), true
}
