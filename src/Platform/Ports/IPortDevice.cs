namespace FastXen.Platform.Ports;

/// <summary>A device in the I/O port space. Calls may come from any vCPU's thread.</summary>
public interface IPortDevice
{
    /// <summary>Reads <paramref name="size"/> bytes (1, 2 or 4) at <paramref name="port"/> (absolute), little-endian.</summary>
    uint Read(ushort port, int size);

    /// <summary>Writes the low <paramref name="size"/> bytes (1, 2 or 4) of <paramref name="value"/> at <paramref name="port"/> (absolute).</summary>
    void Write(ushort port, int size, uint value);

    /// <summary>What traces call it.</summary>
    string Name => "port";
}
