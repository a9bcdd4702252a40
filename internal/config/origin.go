package config

import "fmt"

// An Origin says where a value comes from. Of two values for one setting the
// one of the greater origin is in force.
type Origin uint8

// The origins, weakest first.
const (
	Default     Origin = iota // built in
	File                      // /etc/packetcache/packetcache.toml
	Registry                  // HKLM\SOFTWARE\PacketCache
	CommandLine               // flags and the positional argument
	Policy                    // HKLM\SOFTWARE\Policies\PacketCache
)

// String names the origin as status and messages show it.
func (o Origin) String() string {
	switch o {
	case Default:
		return "default"
	case File:
		return "file"
	case Registry:
		return "registry"
	case CommandLine:
		return "command line"
	case Policy:
		return "policy"
	}
	return fmt.Sprintf("origin %d", uint8(o))
}

// MarshalText makes the origin its name in JSON.
func (o Origin) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// A Source is a place that holds values: a file, a registry key, the command
// line. Load asks it anew each time.
type Source interface {
	// Origin ranks the source. Load takes at most one source of each origin.
	Origin() Origin
	// Location names the source for people: a path, a registry key.
	Location() string
	// Read returns what the source holds; one that does not exist holds
	// nothing. The error says that nothing in the source could be understood.
	Read() ([]Entry, error)
}

// An Entry is one value as a source holds it, right or wrong.
type Entry struct {
	// Key is the name as written in the source, translated to kebab case
	// where the source has other customs.
	Key string
	// Value is Words, or what a TOML value decodes to: string, int64,
	// float64, bool, []any, map[string]any or a date or time.
	Value any
	// Where is the place for messages: a file with its line, a registry value.
	Where string
}

// A Problem is a value that is not in force because something is wrong with
// it. The rest of its source applies all the same.
type Problem struct {
	// Key is the setting, or the unknown name; empty if a whole source could
	// not be read.
	Key string
	// Origin is the kind of place where the value stands.
	Origin Origin
	// Where is that place: a file with its line, a registry value.
	Where string
	// Reason says what is wrong and what would be right.
	Reason string
	// Instead says what is in force; may be empty.
	Instead string
	// Unsafe is true if the value, or one in a source that could not be read, was
	// meant to keep something from being recorded, and no earlier good one could
	// stand in.
	Unsafe bool
}

// Error makes one line of the problem.
func (p Problem) Error() string { return p.Where + ": " + p.What() }

// What is the problem without its place.
func (p Problem) What() string {
	if p.Instead != "" {
		return p.Reason + "; " + p.Instead
	}
	return p.Reason
}
