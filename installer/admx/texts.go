package admx

import (
	"crypto/sha256"
	"encoding/hex"
)

// A text is what Group Policy says of a setting.
type text struct {
	// of is the digest of the documentation in package config that the texts
	// render, so that a test can tell when that has changed.
	of              string
	english, german words
}

type words struct {
	title string
	// explain is empty where the documentation itself says it.
	explain string
}

// digest is what text.of has of a documentation.
func digest(doc string) string {
	sum := sha256.Sum256([]byte(doc))
	return hex.EncodeToString(sum[:4])
}

// texts are those of each setting, by its key.
var texts = map[string]text{
	"ram-percent": {
		of:      "e2e9167b",
		english: words{title: "Memory in percent of RAM"},
		german: words{"Speicher in Prozent des Arbeitsspeichers",
			"Wie viel des Arbeitsspeichers der Dienst insgesamt belegen darf. In einem Container oder unter einer Speicherbegrenzung gilt diese als Größe des Arbeitsspeichers. Ergibt der Anteil weniger als 8 MiB, sind es 8 MiB."},
	},
	"ram-size": {
		of:      "6945eb2f",
		english: words{title: "Memory as a fixed size"},
		german: words{"Speicher als feste Größe",
			"Dasselbe als feste Größe: Bytes oder eine Zahl mit Einheit (kB, MB, GB, TB in Schritten von 1000; KiB, MiB, GiB, TiB in Schritten von 1024). Ist sie gesetzt, bleibt ram-percent aus derselben oder einer schwächeren Quelle ohne Wirkung."},
	},
	"interfaces": {
		of:      "5b2ad73e",
		english: words{title: "Interfaces to record"},
		german: words{"Aufgezeichnete Netzwerkschnittstellen",
			"Von welchen Netzwerkschnittstellen aufgezeichnet wird, nach Namen; * steht für beliebige Zeichen, ? für eines, [ab] für eines von diesen. Ist keine genannt, sind es alle außer Loopback. Auf eine, die es noch nicht gibt, wird gewartet."},
	},
	"exclude": {
		of:      "d9922056",
		english: words{title: "Interfaces to leave out"},
		german: words{"Ausgenommene Netzwerkschnittstellen",
			"Welche Netzwerkschnittstellen ausgenommen sind, nach Namen, mit denselben Platzhaltern; hat Vorrang vor interfaces."},
	},
	"capture-filter": {
		of:      "42acb474",
		english: words{title: "Capture filter"},
		german: words{"Aufzeichnungsfilter",
			"Was aufgezeichnet werden darf, in der Sprache von pcap-filter(7); Pakete, die nicht passen, gelangen nie in den Cache. Leer bedeutet alles."},
	},
	"promiscuous": {
		of:      "9f4d09ff",
		english: words{title: "Promiscuous mode"},
		german: words{"Promiscuous Mode",
			"Ob Netzwerkschnittstellen in den Promiscuous Mode versetzt werden, in dem sie auch Rahmen liefern, die an andere Rechner gerichtet sind."},
	},
	"bias": {
		of:      "f7663ffd",
		english: words{title: "Preference for the beginnings of sessions"},
		german: words{"Bevorzugung der Anfänge von Sitzungen",
			"Wie stark die Anfänge von Sitzungen dem vorgezogen werden, was folgt. Wird Platz gebraucht, so wird ein Stück der Klasse k aufgegeben, als wäre es 2^(bias x k) mal so alt. Bei 0 wird streng nach Alter vergessen; ein größerer Wert bewahrt längere Anfänge von mehr Sitzungen und weniger von der Masse der Daten."},
	},
	"retain": {
		of:      "7f1aa54f",
		english: words{title: "Retention rules"},
		german: words{"Aufbewahrungsregeln",
			"Welche Sitzungen länger oder kürzer bewahrt werden als andere, durch einen Faktor und einen Filter: x4 port 53 für viermal so lange, x0.1 host 192.0.2.7 für ein Zehntel der Zeit, x0 net 198.51.100.0/24 gar nicht. Filter sind in der Sprache von pcap-filter(7). Die erste Regel, die auf das erste Paket einer Sitzung passt, entscheidet für die ganze Sitzung; ein Filter sollte also auf alle ihre Pakete gleichermaßen passen: host, net, port und Protokoll sind geeignet, src und dst nicht (das erste gesehene Paket kann eine Antwort sein), ebenso wenig Flags, Längen und Inhalte. Von einem Tunnel sieht der Filter die Außenseite. Eine Änderung betrifft Sitzungen, die später beginnen; was gespeichert ist, bleibt. Erste Pakete, auf die nichts folgt, werden ohne Rücksicht auf Regeln bewahrt, und das neueste Achtel des Speichers ist dennoch vollständig. Was nicht aufgezeichnet werden darf, gehört in capture-filter: Eine Regel mit Faktor 0 ist für das, was seinen Speicher nicht wert ist, und ist der Wert falsch, arbeitet der Dienst ohne sie."},
	},
	"persist": {
		of:      "370292ed",
		english: words{title: "Keep the cache over a restart"},
		german: words{"Cache über einen Neustart hinweg bewahren",
			"Ob der Cache einen Neustart überdauert: Er wird beim Ende des Dienstes und bei jedem Sicherungspunkt in eine verschlüsselte Datei in data-dir geschrieben und beim Start zurückgelesen. Bei false wird nichts geschrieben und nichts gelesen; eine Datei, die schon da ist, bleibt bis zu pcctl clear. Im Vordergrund wird der Cache nur bewahrt, wenn --data-dir auf der Befehlszeile steht, damit ein Probelauf nie die Datei des Dienstes anrührt."},
	},
	"checkpoint-interval": {
		of:      "9b566b3f",
		english: words{title: "Interval of checkpoints"},
		german: words{"Abstand der Sicherungspunkte",
			"Wie oft der Cache in die Datei geschrieben wird, während der Dienst läuft, damit ein Absturz oder Stromausfall höchstens kostet, was seitdem kam. Bei 0 geschieht das nur am Ende. Sicherungspunkte liegen weiter auseinander, wo sie mehr als 4 GB am Tag schreiben würden; keiner entsteht, während der Rechner mit Akku läuft oder wenn seit dem letzten nichts aufgezeichnet wurde."},
	},
	"recovery-recipients": {
		of:      "19cc1ed3",
		english: words{title: "Recovery recipients"},
		german: words{"Wiederherstellungsschlüssel",
			"Wer die Datei außerdem öffnen kann: öffentliche Schlüssel von age, die age-keygen ausgibt und die mit age1 beginnen; die privaten dazu liegen bei denen, die Vorfälle untersuchen. Mit einem von diesen öffnet pcctl decrypt, oder age selbst, die Datei eines Rechners, der nicht mehr startet. Ohne sie kann es nur der Rechner selbst. Sie gelten ab der nächsten Datei, die geschrieben wird."},
	},
	"data-dir": {
		of:      "cace1b48",
		english: words{"Data directory", "Where the service keeps its files."},
		german:  words{"Datenverzeichnis", "Wo der Dienst seine Dateien aufbewahrt."},
	},
	"endpoint-dir": {
		of:      "9ba8501c",
		english: words{"Suffix of the pipe names", "Appended to the names of both pipes, so that a second instance can run beside the service."},
		german:  words{"Zusatz zu den Namen der Pipes", "Wird an die Namen beider Pipes angehängt, damit eine zweite Instanz neben dem Dienst laufen kann."},
	},
	"log-level": {
		of:      "137e9349",
		english: words{title: "Log level"},
		german:  words{"Ausführlichkeit des Protokolls", "Wie viel der Dienst protokolliert."},
	},
}
