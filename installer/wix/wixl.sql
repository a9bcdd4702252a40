-- What packetcache.wxs says within "ifndef var.Wixl", and what wixl leaves out without a
-- word, for msibuild: one statement a line.

-- Conditions of components.
UPDATE `Component` SET `Condition` = 'RAMPERCENT' WHERE `Component` = 'RamPercent'
UPDATE `Component` SET `Condition` = 'INTERFACES' WHERE `Component` = 'Interfaces'
UPDATE `Component` SET `Condition` = 'EXCLUDE' WHERE `Component` = 'Exclude'
UPDATE `Component` SET `Condition` = 'RECOVERYRECIPIENTS' WHERE `Component` = 'RecoveryRecipients'
UPDATE `Component` SET `Condition` = 'LOGLEVEL' WHERE `Component` = 'LogLevel'
UPDATE `Component` SET `Condition` = 'REPLACE = 1 AND NOT WIX_UPGRADE_DETECTED AND NOT EVENTFILE >< "PacketCacheEvents.dll"' WHERE `Component` = 'Replace'

-- The one feature can neither be left out (16) nor be advertised (8).
UPDATE `Feature` SET `Attributes` = 24 WHERE `Feature` = 'PacketCache'

-- The PATH of the machine is in Environment.idt.
INSERT INTO `InstallExecuteSequence` (`Action`, `Sequence`) VALUES ('RemoveEnvironmentStrings', 3300)
INSERT INTO `InstallExecuteSequence` (`Action`, `Sequence`) VALUES ('WriteEnvironmentStrings', 5200)

-- Without a service there is no installation (32768 beside 1, "log and start on").
UPDATE `ServiceInstall` SET `ErrorControl` = 32769 WHERE `ServiceInstall` = 'PacketCache'

-- Properties that reach the part of the installer that runs as SYSTEM.
UPDATE `Property` SET `Value` = 'EVENTFILE;EXCLUDE;INTERFACES;KEEPCACHE;LOGLEVEL;RAMPERCENT;RECOVERYRECIPIENTS;REPLACE;SERVICEPATH;STARTSERVICE;WINDOWSMAJOR;WIX_DOWNGRADE_DETECTED;WIX_UPGRADE_DETECTED' WHERE `Property` = 'SecureCustomProperties'

-- An upgrade replaces the same version too (512 beside 1, "migrate features").
DELETE FROM `Upgrade` WHERE `ActionProperty` = 'WIX_UPGRADE_DETECTED'
INSERT INTO `Upgrade` (`UpgradeCode`, `VersionMax`, `Attributes`, `Remove`, `ActionProperty`) VALUES ('{E4C45CCD-6F56-42D1-A54C-271425D50566}', '$(var.ProductVersion)', 513, 'PacketCache', 'WIX_UPGRADE_DETECTED')
-- The old version goes within the transaction, so that it comes back if the new one fails.
UPDATE `InstallExecuteSequence` SET `Sequence` = 1501 WHERE `Action` = 'RemoveExistingProducts'
