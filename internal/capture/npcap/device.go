package npcap

import "strings"

// Loopback is the key in Devices of Npcap's view of the loopback interface.
const Loopback = "loopback"

// deviceKey makes the key for Devices of a device's name.
func deviceKey(name string) (key string, ok bool) {
	_, key, ok = strings.Cut(name, `\NPF_`)
	if strings.EqualFold(key, Loopback) {
		return Loopback, ok
	}
	return strings.ToUpper(key), ok && strings.HasPrefix(key, "{")
}
