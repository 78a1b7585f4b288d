namespace FastXen.Platform;

/// <summary>A device cannot be made as configured. The message is one sentence that names the item, what is wrong and what was expected.</summary>
public sealed class DeviceConfigurationException(string message, Exception? inner = null) : Exception(message, inner);
