namespace FastXen.Platform.Firmware.Fpswa;
