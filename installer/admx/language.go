package admx

import (
	"fmt"
	"strings"

	"github.com/packetcache/packetcache/internal/config"
)

// A language is what is said around the texts of settings.
type language struct {
	Description, Category, SupportedOn string

	words func(text) words
	// explained has the text of a setting and what is allowed, its default and
	// its two names.
	explained string
	// enter says what a policy does that has something to enter, toggle what one
	// does that is switched on and off.
	enter, toggle string
	now, restart  string // when a change counts
	none          string // in place of an empty default
	withheld      string // of what keeps something from being recorded
	allowed       func(config.Field) string
}

var languages = map[string]language{
	"en-US": {
		Description: "Settings of PacketCache, which keeps the recent network traffic of a machine in its memory.",
		Category:    "Settings of PacketCache. What is configured here is stronger than what is set on the machine, and vanishes with the policy.",
		SupportedOn: "PacketCache on Windows 10, Windows Server 2016 or later",
		words:       func(t text) words { return t.english },
		explained:   "%s\n\nAllowed: %s.\nDefault: %s.\n\n%s %s\n\nSetting %s, registry value %s.",
		enter:       "Enabled: this value is in force, whatever is set on the machine. Disabled or not configured: what is set on the machine is in force, or else the default.",
		toggle:      "Enabled: true is in force, whatever is set on the machine. Disabled: false is. Not configured: what is set on the machine is in force, or else the default.",
		now:         "A change counts at once.",
		restart:     "A change counts when the service is started the next time.",
		none:        "none",
		withheld:    " If the value is wrong when the service starts, nothing is recorded until it is right.",
		allowed:     allowedInEnglish,
	},
	"de-DE": {
		Description: "Einstellungen von PacketCache, das den jüngsten Netzwerkverkehr eines Rechners in dessen Arbeitsspeicher bereithält.",
		Category:    "Einstellungen von PacketCache. Was hier konfiguriert ist, hat Vorrang vor dem, was auf dem Rechner eingestellt ist, und verschwindet mit der Richtlinie.",
		SupportedOn: "PacketCache unter Windows 10, Windows Server 2016 oder neuer",
		words:       func(t text) words { return t.german },
		explained:   "%s\n\nErlaubt: %s.\nStandard: %s.\n\n%s %s\n\nEinstellung %s, Registrierungswert %s.",
		enter:       "Aktiviert: Dieser Wert gilt, was auch immer auf dem Rechner eingestellt ist. Deaktiviert oder nicht konfiguriert: Es gilt, was auf dem Rechner eingestellt ist, sonst der Standard.",
		toggle:      "Aktiviert: Es gilt true, was auch immer auf dem Rechner eingestellt ist. Deaktiviert: Es gilt false. Nicht konfiguriert: Es gilt, was auf dem Rechner eingestellt ist, sonst der Standard.",
		now:         "Eine Änderung gilt sofort.",
		restart:     "Eine Änderung gilt ab dem nächsten Start des Dienstes.",
		none:        "keiner",
		withheld:    " Ist der Wert beim Start des Dienstes falsch, wird nichts aufgezeichnet, bis er stimmt.",
		allowed:     allowedInGerman,
	},
}

// title names a setting; one without words shows its key.
func (l language) title(f config.Field) string {
	if title := l.words(texts[f.Key]).title; title != "" {
		return title
	}
	return f.Key
}

func (l language) explain(f config.Field) string {
	what := l.words(texts[f.Key]).explain
	if what == "" {
		what = f.Doc
	}
	if f.KeepsOut {
		what += l.withheld
	}
	standard, does, when := f.DefaultWindows, l.enter, l.now
	if standard == "" {
		standard = l.none
	}
	if f.Kind == config.Switch {
		does = l.toggle
	}
	if f.Restart {
		when = l.restart
	}
	return fmt.Sprintf(l.explained, what, l.allowed(f), standard, does, when, f.Key, f.Registry)
}

// allowedInEnglish is config.Field.Allowed, of Windows and of what there is to enter.
func allowedInEnglish(f config.Field) string {
	switch {
	case f.Kind == config.List:
		return f.Allowed() + ", one on each line"
	case f.Item == "endpoint":
		return fmt.Sprintf("letters, digits, -, _ and ., at most %d of them", f.MaxLen)
	}
	return f.Allowed()
}

// allowedInGerman is config.Field.Allowed.
func allowedInGerman(f config.Field) string {
	switch f.Kind {
	case config.Number:
		return fmt.Sprintf("eine Zahl von %v bis %v, mit Punkt vor Nachkommastellen", f.Min, f.Max)
	case config.Bytes:
		return fmt.Sprintf("eine Größe von %s bis zur Hälfte des Arbeitsspeichers, etwa %s", config.FormatBytes(uint64(f.MinSize)), f.Example)
	case config.Choice:
		return "eines von " + strings.Join(f.Enum, ", ")
	case config.Switch:
		return "true oder false"
	case config.List:
		return fmt.Sprintf("höchstens %d Einträge, je Zeile einer", f.MaxLen)
	case config.Interval:
		return fmt.Sprintf("0 (aus) oder eine Dauer von %s bis %s, etwa %s", config.FormatInterval(f.MinInterval), config.FormatInterval(f.MaxInterval), f.Example)
	case config.Text:
		switch f.Item {
		case "directory":
			return fmt.Sprintf("ein absoluter Pfad von höchstens %d Bytes", f.MaxLen)
		case "endpoint":
			return fmt.Sprintf("Buchstaben, Ziffern, -, _ und ., zusammen höchstens %d", f.MaxLen)
		}
		return fmt.Sprintf("eine Zeile von höchstens %d Bytes", f.MaxLen)
	}
	return f.Allowed()
}
