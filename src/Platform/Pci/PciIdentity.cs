namespace FastXen.Platform.Pci;

/// <summary>What identifies a PCI function: vendor, device, class code (24 bits: class, subclass, interface), revision and subsystem.</summary>
public readonly record struct PciIdentity(
    ushort Vendor, ushort Device, int ClassCode, byte Revision, ushort SubsystemVendor, ushort Subsystem);
