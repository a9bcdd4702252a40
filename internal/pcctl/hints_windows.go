package pcctl

const (
	endpointDirUsage = "`SUFFIX` of the service's pipe names, if any [%" + envEndpointDir + "%]"
	hintNotRunning   = "start the service with \"pcctl start\" as administrator (once installed: \"pcctl install\"); if it runs with --endpoint-dir, give the same here."
	hintElevate      = "open the prompt with \"Run as administrator\"."
	hintNotPermitted = "the cache holds other people's traffic, so this takes an administrator: open the prompt with \"Run as administrator\"."
	administrator    = "an administrator"

	settingPlaces = `Settings come from four places; of two values the one further down counts:

  default       built in
  registry      the settings of this machine, HKLM\SOFTWARE\PacketCache
  command line  that of the service, where it was given one
  policy        Group Policy or Intune, HKLM\SOFTWARE\Policies\PacketCache`
)
