using FastXen.Platform.Uart;

namespace FastXen.Loader.Machines;

/// <summary>What outlives a guest's reboots (images, disks, networks), and the making of its machines. Opening it has checked all that the config names.</summary>
internal interface IGuest : IDisposable
{
    /// <summary>Who is told what broke, and how, of what serves the guest. Set before <see cref="PowerOn"/>.</summary>
    Action<string, Exception> Failed { set; }

    /// <summary>Makes a machine with the images in its memory, ready to run. Only one lives at a time. What is wrong with the images is a <see cref="LoadException"/>.</summary>
    /// <param name="number">The domain's number.</param>
    /// <param name="console">Its console.</param>
    IGuestMachine PowerOn(int number, ICharacterBackend console);
}
