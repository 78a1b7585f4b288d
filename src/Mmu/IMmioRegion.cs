namespace FastXen.Mmu;

/// <summary>A device's window in the physical address space. Calls may come from any vCPU's thread.</summary>
public interface IMmioRegion
{
    /// <summary>Reads <paramref name="size"/> bytes (1, 2, 4 or 8) at <paramref name="offset"/> from the window's start, little-endian.</summary>
    ulong Read(ulong offset, int size);

    /// <summary>Writes the low <paramref name="size"/> bytes (1, 2, 4 or 8) of <paramref name="value"/> at <paramref name="offset"/>.</summary>
    void Write(ulong offset, int size, ulong value);

    /// <summary>The device at an offset, as traces name it.</summary>
    string NameAt(ulong offset) => "device";
}
