using System.Globalization;
using FastXen.Platform;

namespace FastXen.Xen.Backends.Block;

/// <summary>Numbers of virtual disks (docs/misc/vbd-interface.txt of Xen): the kind and place of the disk that the guest is to show.</summary>
public static class VirtualDiskName
{
    private const uint XvdMajor = 202, SdMajor = 8, FirstIdeMajor = 3, SecondIdeMajor = 22;

    /// <summary>The number of "xvda" and the like, or of a number. Throws <see cref="DeviceConfigurationException"/>.</summary>
    public static uint Parse(string name) => Find(name)
        ?? throw new DeviceConfigurationException($"Disk name '{name}' is not valid; expected xvda to xvdz, hda to hdd, sda to sdp, or a number.");

    /// <summary>Whether <see cref="Parse"/> takes a name.</summary>
    public static bool IsValid(string name) => Find(name) is not null;

    private static uint? Find(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (uint.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out uint number))
            return number;
        int place = name.Length > 2 ? name[^1] - 'a' : -1;
        uint at = (uint)place;
        return (name.Length > 2 ? name[..^1] : "", place) switch
        {
            ("xvd", >= 0 and < 16) => XvdMajor << 8 | at << 4,
            // Past the minors of one major: the extended form.
            ("xvd", >= 16 and < 26) => 1u << 28 | at << 8,
            ("sd", >= 0 and < 16) => SdMajor << 8 | at << 4,
            ("hd", >= 0 and < 2) => FirstIdeMajor << 8 | at << 6,
            ("hd", >= 2 and < 4) => SecondIdeMajor << 8 | (at - 2) << 6,
            _ => null,
        };
    }
}
