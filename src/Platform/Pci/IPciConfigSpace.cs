namespace FastXen.Platform.Pci;

/// <summary>Configuration space of all PCI functions, as SAL_PCI_CONFIG_READ and SAL_PCI_CONFIG_WRITE see it. Calls come from any vCPU's thread.</summary>
public interface IPciConfigSpace
{
    /// <summary>Reads <paramref name="size"/> bytes (1, 2 or 4, aligned) at <paramref name="register"/> (0 to 4095). All ones where there is no function.</summary>
    uint Read(int segment, int bus, int device, int function, int register, int size);

    /// <summary>Writes; ignored where there is no function.</summary>
    void Write(int segment, int bus, int device, int function, int register, int size, uint value);
}
